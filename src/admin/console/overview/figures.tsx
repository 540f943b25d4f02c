/** The numbers of the range at a glance: how much is refused, whether it grows, and what else goes wrong. */
import type { ComponentChildren } from 'preact';
import type { Mode, Summary } from '../api/types.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { count, share } from './names.ts';
import { lengthText, trendOf, type Direction } from './times.ts';

export function Figures({ summary }: { readonly summary: Summary }) {
  const total = (mode: Mode): number => summary.minutes.reduce((sum, step) => sum + step[mode].total, 0);
  const [refused, would] = [total('enforce'), total('report')];
  const requests = summary.requests.total;
  return (
    <div class="figures">
      <Figure title="Refused" value={count(refused)} tone={refused > 0 ? 'bad' : undefined}>
        {share(refused, requests)} of {count(requests)} requests
      </Figure>
      <Trend summary={summary} />
      <Figure title="Report mode would refuse" value={count(would)}>
        {would === 0 ? 'Nothing more' : `${share(would, requests)} of all, let through`}
      </Figure>
      <ByName title="Upstream errors" counts={summary.upstreamErrors} none="Backends answer" tone="bad" />
      <ByName title="Events cut out" counts={summary.removedEvents} none="No event removed" />
    </div>
  );
}

interface FigureProps {
  readonly title: string;
  readonly value: string;
  readonly tone?: 'bad' | undefined;
  readonly children: ComponentChildren;
}

function Figure({ title, value, tone, children }: FigureProps) {
  return (
    <section class="figure" aria-label={title}>
      <h2>{title}</h2>
      <p class={tone === undefined ? 'figure-value' : `figure-value ${tone}`}>{value}</p>
      <p class="figure-note">{children}</p>
    </section>
  );
}

const DIRECTIONS: Readonly<Record<Direction, readonly [Tone, string]>> = {
  growing: ['bad', 'Growing'],
  steady: ['neutral', 'Steady'],
  falling: ['good', 'Falling'],
  early: ['neutral', 'Too early'],
  none: ['good', 'Quiet'],
};

const NOTES: Readonly<Partial<Record<Direction, string>>> = {
  none: 'No refusals lately',
  early: 'Postern has just started',
};

function Trend({ summary }: { readonly summary: Summary }) {
  const { direction, lately, before, minutes } = trendOf(summary, 'enforce');
  const [tone, word] = DIRECTIONS[direction];
  return (
    <section class="figure" aria-label="Trend">
      <h2>Trend</h2>
      <p class="figure-value">
        <Badge tone={tone}>{word}</Badge>
      </p>
      <p class="figure-note">
        {NOTES[direction] ??
          `${perMinute(lately)} a minute in the last ${minutes === 1 ? 'minute' : lengthText(minutes * 60_000)}, ${perMinute(before)} before`}
      </p>
    </section>
  );
}

const perMinute = (rate: number): string => (rate > 0 && rate < 10 ? rate.toFixed(1) : count(Math.round(rate)));

/** How many names are told. */
const TOLD = 3;

interface ByNameProps {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly none: string;
  readonly tone?: 'bad';
}

function ByName({ title, counts, none, tone }: ByNameProps) {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const total = entries.reduce((sum, [, number]) => sum + number, 0);
  const told = entries.slice(0, TOLD).map(([name, number]) => `${name === '' ? 'no key' : name} ${count(number)}`);
  const more = entries.length - told.length;
  return (
    <Figure title={title} value={count(total)} tone={total > 0 ? tone : undefined}>
      {total === 0 ? none : `${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`}
    </Figure>
  );
}
