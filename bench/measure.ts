/**
 * The order of measuring: all contenders of a group warmed up, then measured in turn, round after round, so that whatever
 * else the machine does falls on all alike. Starts and loads nothing itself.
 */

/** One contender under one load, for one round. */
export interface Sample {
  readonly requests: number;
  /** CPU time of the contender's process, its threads and its children. */
  readonly cpuMicrosPerRequest: number;
  /** Null where nothing but CPU time tells anything. */
  readonly requestsPerSecond: number | null;
  readonly p99Millis: number | null;
}

export interface Contender {
  /** `S1`. */
  readonly scenario: string;
  readonly name: string;
  readonly measure: (seconds: number) => Promise<Sample>;
}

export interface Measured {
  readonly scenario: string;
  readonly name: string;
  /** One for each round. */
  readonly samples: readonly Sample[];
}

export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  /** How much CPU time a contender gets beforehand: compilers need work done, not time passed. */
  readonly warmupCpuSeconds: number;
}

/** Measures A B C A B C ... */
export async function measureInTurn(contenders: readonly Contender[], pace: Pace): Promise<Measured[]> {
  for (const contender of contenders) await warmUp(contender, pace);
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 0; round < pace.rounds; round++) {
    for (const [index, { measure }] of contenders.entries()) samples[index]?.push(await measure(pace.seconds));
  }
  return contenders.map(({ scenario, name }, index) => ({ scenario, name, samples: samples[index] ?? [] }));
}

export async function warmUp(
  { measure }: Pick<Contender, 'measure'>,
  { seconds, warmupCpuSeconds }: Pace,
): Promise<void> {
  for (let missing = warmupCpuSeconds * 1e6; missing > 0;) {
    const { requests, cpuMicrosPerRequest } = await measure(seconds);
    missing -= requests * cpuMicrosPerRequest;
  }
}
