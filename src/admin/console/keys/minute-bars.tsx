/** Refusals by minute as small bars, without axes: the numbers are in words beside it. */
import { count } from '../overview/names.ts';
import { clock } from '../ui/clock.ts';
import type { KeyMinute } from './traffic.ts';

const HEIGHT = 40;

export function MinuteBars({ minutes }: { readonly minutes: readonly KeyMinute[] }) {
  const most = Math.max(1, ...minutes.map(({ refused, wouldRefuse }) => refused + wouldRefuse));
  const worst = minutes.find(({ refused, wouldRefuse }) => refused + wouldRefuse === most);
  const scale = (number: number): number => (number * HEIGHT) / most;
  const label = `By minute, at most ${count(most)}${worst === undefined ? '' : `, at ${clock.format(new Date(worst.time))}`}.`;
  return (
    <figure class="minute-bars">
      <svg viewBox={`0 0 ${minutes.length * 4} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {minutes.map(({ time, refused, wouldRefuse }, index) => (
          <g key={time}>
            <title>{`${clock.format(new Date(time))}: ${count(refused + wouldRefuse)}`}</title>
            <rect class="bar-refused" x={index * 4} y={HEIGHT - scale(refused)} width="3" height={scale(refused)} />
            <rect
              class="bar-would"
              x={index * 4}
              y={HEIGHT - scale(refused + wouldRefuse)}
              width="3"
              height={scale(wouldRefuse)}
            />
          </g>
        ))}
      </svg>
      <figcaption class="hint">{label}</figcaption>
    </figure>
  );
}
