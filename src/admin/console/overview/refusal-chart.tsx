/** Refusals by minute as a stacked bar chart, with its numbers in words and as a table. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { nameOf } from './names.ts';
import { edges, type GroupBy, type Stack } from './stack.ts';

export interface RefusalChartProps {
  readonly stack: Stack;
  readonly by: GroupBy;
}

const HEIGHT = 200;

export function RefusalChart({ stack, by }: RefusalChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [scheme, setScheme] = useState(0);
  const shape = `${by} ${stack.layers.length} ${scheme}`;

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => setScheme((count) => count + 1);
    dark.addEventListener('change', redraw);
    return () => dark.removeEventListener('change', redraw);
  }, []);

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const plot = new uPlot(optionsFor(element, stack.layers.length, setHovered), dataOf(stack), element);
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
      <div ref={place} role="img" aria-label={summaryOf(stack, by)} />
      <Legend stack={stack} by={by} at={hovered} />
      <details>
        <summary>Numbers</summary>
        <StackTable stack={stack} by={by} />
      </details>
    </div>
  );
}

function Legend({ stack: { layers, times }, by, at }: RefusalChartProps & { readonly at: number | null }) {
  const time = at === null ? undefined : times[at];
  return (
    <ul class="legend">
      <li class="muted">{time === undefined ? 'Last hour' : clock.format(time * 1000)}</li>
      {layers.map(({ name, total, counts }, index) => (
        <li key={name}>
          <span class={`swatch swatch-${index}`} aria-hidden="true" />
          {nameOf(by, name)} <strong>{at === null ? total : (counts[at] ?? 0)}</strong>
        </li>
      ))}
    </ul>
  );
}

function StackTable({ stack: { layers, times }, by }: RefusalChartProps) {
  const busy = times.flatMap((time, at) => (layers.some(({ counts }) => counts[at] !== 0) ? [{ time, at }] : []));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Refusals by minute">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Minute</th>
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
              <th scope="row">{clock.format(time * 1000)}</th>
              {layers.map(({ name, counts }) => (
                <td key={name} class="number">
                  {counts[at]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });

const summaryOf = ({ layers, total }: Stack, by: GroupBy): string =>
  `${total} in the last hour: ${layers.map(({ name, total }) => `${nameOf(by, name)} ${total}`).join(', ')}`;

const dataOf = (stack: Stack): uPlot.AlignedData => [[...stack.times], ...edges(stack)];

function optionsFor(element: HTMLElement, layers: number, onHover: (at: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour('muted'), grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      // Half a bar of room at both ends.
      x: { range: (_plot, min, max) => [min - 30, max + 30] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      { ...axis, values: (_plot, times) => times.map((time) => clock.format(time * 1000)), space: 60, size: 32 },
      { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000] },
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
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  };
}
