import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A curve. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A picture of some curves over one pair of axes. */
export interface Plot {
  readonly title: string;
  /** What the axes show. */
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [720, 360, 70, 50, 40, 40];
const COLOURS = ['#0b6e99', '#b4451f', '#4d7a2a', '#7a4f9a'];
const TICKS = 5;
/** Where pictures are put, under the folder that the command runs in. */
const FOLDER = 'bench/plots';

/** Draws curves into a file of their own, from 0 on both axes; answers its path. */
export function plot({ title, x, y, series }: Plot): string {
  const all = series.flatMap(({ points }) => points);
  const [maxX, maxY] = [roundUp(Math.max(...all.map((point) => point.x))), roundUp(Math.max(...all.map((p) => p.y)))];
  const atX = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * value) / maxX;
  const atY = (value: number): number => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * value) / maxY;
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS);
  const lines = ticks.flatMap((part) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${atY(part * maxY)}" y2="${atY(part * maxY)}" stroke="#ddd"/>`,
    text([LEFT - 8, atY(part * maxY) + 4], format(part * maxY), { anchor: 'end' }),
    text([atX(part * maxX), HEIGHT - BOTTOM + 18], format(part * maxX)),
  ]);
  const curves = series.flatMap(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length] ?? '#000';
    const path = points.map((point) => `${atX(point.x).toFixed(1)},${atY(point.y).toFixed(1)}`).join(' ');
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>`,
      text([WIDTH - RIGHT - 4, TOP + 16 * (i + 1)], name, { anchor: 'end', colour }),
    ];
  });
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([LEFT, 22], title, { anchor: 'start' }),
    ...lines,
    ...curves,
    text([(WIDTH + LEFT) / 2, HEIGHT - 10], x),
    `<g transform="rotate(-90 16 ${HEIGHT / 2})">${text([16, HEIGHT / 2], y)}</g>`,
    '</svg>',
  ].join('\n');
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.svg`);
  writeFileSync(path, `${svg}\n`);
  return path;
}

function text([x, y]: readonly [number, number], content: string, { anchor = 'middle', colour = '#333' } = {}): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
}

/** The next number of one digit, so that ticks fall on round ones. */
function roundUp(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return Math.ceil(value / magnitude) * magnitude;
}

function format(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
