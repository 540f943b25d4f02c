/** Refusals by minute as a stacked bar chart, with its numbers in words and as a table. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Summary } from '../api/types.ts';
import { clock } from '../ui/clock.ts';
import { count, nameOf } from './names.ts';
import { edges, type GroupBy, type Stack } from './stack.ts';
import { stretchText } from './times.ts';

export interface RefusalChartProps {
  readonly stack: Stack;
  readonly by: GroupBy;
  /** Of which stretch it is. */
  readonly summary: Summary;
}

const HEIGHT = 200;

export function RefusalChart({ stack, by, summary }: RefusalChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [scheme, setScheme] = useState(0);
  const { stepMinutes } = summary;
  const shape = `${by} ${stack.layers.length} ${scheme} ${stepMinutes}`;

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const forced = matchMedia('(forced-colors: active)');
    const redraw = (): void => setScheme((times) => times + 1);
    for (const query of [dark, forced]) query.addEventListener('change', redraw);
    return () => {
      for (const query of [dark, forced]) query.removeEventListener('change', redraw);
    };
  }, []);

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const plot = new uPlot(
      optionsFor(element, { layers: stack.layers.length, stepMinutes, onHover: setHovered }),
      dataOf(stack),
      element,
    );
    chart.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [shape]);

  useEffect(() => chart.current?.setData(dataOf(stack)), [stack]);

  return (
    <div class="chart">
      <div ref={place} role="img" aria-label={inWords(stack, by, summary)} />
      <Legend stack={stack} by={by} summary={summary} at={hovered} />
      <p class="hint">
        The pale bar is the running {stepMinutes === 1 ? 'minute' : `${stepMinutes} minutes`}, which has not ended yet.
      </p>
      <details>
        <summary>Numbers</summary>
        <StackTable stack={stack} by={by} summary={summary} />
      </details>
    </div>
  );
}

function Legend({ stack: { layers, times }, by, summary, at }: RefusalChartProps & { readonly at: number | null }) {
  const time = at === null ? undefined : times[at];
  return (
    <ul class="legend">
      <li class="muted">{time === undefined ? 'Together' : stepText(time, summary)}</li>
      {layers.map(({ name, total, counts }, index) => (
        <li key={name}>
          <span class={`swatch swatch-${index}`} aria-hidden="true" />
          {nameOf(by, name)} <strong class="number">{count(at === null ? total : (counts[at] ?? 0))}</strong>
        </li>
      ))}
    </ul>
  );
}

function StackTable({ stack: { layers, times }, by, summary }: RefusalChartProps) {
  const busy = times.flatMap((time, at) => (layers.some(({ counts }) => counts[at] !== 0) ? [{ time, at }] : []));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Refusals by time">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{summary.stepMinutes === 1 ? 'Minute' : `${summary.stepMinutes} minutes from`}</th>
            {layers.map(({ name }) => (
              <th key={name} scope="col">
                {nameOf(by, name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {busy.map(({ time, at }) => (
            <tr key={time}>
              <th scope="row">{stepText(time, summary)}</th>
              {layers.map(({ name, counts }) => (
                <td key={name} class="number">
                  {count(counts[at] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function stepText(time: number, { now, stepMinutes }: Summary): string {
  const isRunning = time * 1000 + stepMinutes * 60_000 > Date.parse(now);
  return `${clock.format(time * 1000)}${isRunning ? ' (running)' : ''}`;
}

const inWords = ({ layers, total }: Stack, by: GroupBy, summary: Summary): string =>
  `${count(total)} ${stretchText(summary)}: ${layers.map(({ name, total }) => `${nameOf(by, name)} ${count(total)}`).join(', ')}`;

const dataOf = (stack: Stack): uPlot.AlignedData => [[...stack.times], ...edges(stack)];

interface Drawing {
  readonly layers: number;
  readonly stepMinutes: number;
  readonly onHover: (at: number | null) => void;
}

function optionsFor(element: HTMLElement, { layers, stepMinutes, onHover }: Drawing): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('muted'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  };
  const half = stepMinutes * 30;
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      // Half a bar of room at both ends.
      x: { range: (_plot, min, max) => [min - half, max + half] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      { ...axis, values: (_plot, times) => times.map((time) => clock.format(time * 1000)), space: 60, size: 32 },
      { ...axis, values: (_plot, numbers) => numbers.map(count), size: widthOf, incrs: INCREMENTS },
    ],
    series: [
      {},
      ...Array.from({ length: layers }, (_, at) => ({
        fill: colour(`layer-${layers - 1 - at}`),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars?.({ size: [0.8, 24] }) as uPlot.Series.PathBuilder,
      })),
    ],
    hooks: {
      setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
      draw: [(plot) => paleRunning(plot, half, colour('surface'))],
    },
  };
}

/** One, two and five with any number of zeros: counts are whole. */
const INCREMENTS = Array.from({ length: 10 }, (_, zeros) => [1, 2, 5].map((digit) => digit * 10 ** zeros)).flat();

const DIGIT_PX = 8;

/** As wide as the longest number needs. */
const widthOf = (_plot: uPlot, values: readonly string[] | null): number =>
  Math.max(40, 14 + DIGIT_PX * Math.max(0, ...(values ?? []).map((value) => value.length)));

/** A veil over the last bar: it still grows, and is not to be taken for a fall. */
function paleRunning(plot: uPlot, half: number, surface: string): void {
  const last = plot.data[0].at(-1);
  if (last === undefined) return;
  const { ctx, bbox } = plot;
  const from = plot.valToPos(last - half, 'x', true);
  ctx.save();
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = surface;
  ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from, bbox.height);
  ctx.restore();
}
