/**
 * What a scenario is given, and what it gives back: rows of the table, with the ratios that it was run for.
 */
import type { Build } from './postern.ts';
import { measureInTurn, type Contender, type Measured, type Pace, type Sample } from './measure.ts';
import { medianOf, ratios } from './statistics.ts';

export interface Bench {
  /** The build at hand; with `--against` also the other one. */
  readonly builds: readonly [Build, ...Build[]];
  /** Whether the peers take part. */
  readonly peers: boolean;
  readonly backendPort: number;
  readonly pace: Pace;
  /** Makes a folder in memory, for configurations, keys and logs. */
  readonly newFolder: () => string;
  readonly progress: (text: string) => void;
  /** Notes why a contender is not in the table. */
  readonly leaveOut: (why: string) => void;
}

export interface Row {
  readonly scenario: string;
  readonly what: string;
  /** With its unit. */
  readonly figure: string;
  readonly requestsPerSecond?: number;
  readonly p99Millis?: number;
  readonly comparisons: readonly Comparison[];
}

/** A figure compared with another, once for each round, or the figure itself where `must` is absolute. */
export interface Comparison {
  readonly between: string;
  readonly values: readonly number[];
  readonly unit?: string;
  readonly must?: number;
  readonly aim?: number;
}

/** A scenario's name and a contender's. */
export type Who = readonly [scenario: string, name: string];

/** What the CPU time of one contender should be to that of another. */
export interface Goal {
  readonly of: Who;
  readonly to: Who;
  readonly must?: number;
  readonly aim?: number;
}

export type Scenario = (bench: Bench) => Promise<Row[]>;

/** Runs contenders in turn and sets each goal beside the row of its own that tells most: the peer's, else the one compared. */
export async function compare(bench: Bench, contenders: readonly Contender[], goals: readonly Goal[]): Promise<Row[]> {
  const measured = await measureInTurn(contenders, bench.pace);
  const find = ([scenario, name]: Who) => measured.find((m) => m.scenario === scenario && m.name === name);
  return measured.map((contender) => {
    const comparisons = goals.flatMap(({ of, to, ...limits }) => {
      const [mine, other] = [find(of), find(to)];
      if (mine === undefined || other === undefined || contender !== (of[0] === to[0] ? other : mine)) return [];
      return [{ between: between(of, to), values: ratios(cpuOf(mine), cpuOf(other)), ...limits }];
    });
    return rowOf(contender, comparisons);
  });
}

/** The first build to each other one, in these scenarios. */
export function againstGoals({ builds: [first, ...others] }: Bench, scenarios: readonly string[]): Goal[] {
  return scenarios.flatMap((scenario) =>
    others.map(({ name }): Goal => ({ of: [scenario, first.name], to: [scenario, name] })),
  );
}

/** What two contenders do not have in common. */
function between(of: Who, to: Who): string {
  if (of[0] === to[0]) return `${of[1]} : ${to[1]}`;
  return `${of[0]} : ${of[1] === to[1] ? to[0] : to[1]}`;
}

const cpuOf = ({ samples }: Measured): number[] => samples.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);

function rowOf({ scenario, name, samples }: Measured, comparisons: Comparison[]): Row {
  const middle = (of: (sample: Sample) => number | null): number | null => {
    const values = samples.map(of).filter((value) => value !== null);
    return values.length === 0 ? null : medianOf(values);
  };
  const requestsPerSecond = middle((sample) => sample.requestsPerSecond);
  const p99Millis = middle((sample) => sample.p99Millis);
  return {
    scenario,
    what: name,
    comparisons,
    figure: `${(middle((sample) => sample.cpuMicrosPerRequest) ?? 0).toFixed(1)} µs`,
    ...(requestsPerSecond === null ? {} : { requestsPerSecond }),
    ...(p99Millis === null ? {} : { p99Millis }),
  };
}
