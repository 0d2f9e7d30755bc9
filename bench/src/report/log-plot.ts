/** One curve. */
interface Series {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** A plot with two logarithmic axes. */
export interface Plot {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
}

const [WIDTH, HEIGHT] = [720, 420]
const FRAME = { left: 70, right: 190, top: 48, bottom: 56 }
/** Colours that people with any colour vision tell apart (Okabe and Ito), on a light and on a dark ground. Dashes tell them apart in print. */
const STYLES = [
  { light: '#0072b2', dark: '#56b4e9', dash: '' },
  { light: '#b34700', dark: '#e69f00', dash: '7 3' },
  { light: '#007a5a', dark: '#2fd6a5', dash: '2 3' },
  { light: '#a8397d', dark: '#f2a0d0', dash: '10 3 2 3' },
] as const
/** The least distance of two names, in px. */
const LINE = 17

/** Draws a plot as an SVG file that stands alone: no font and no script from elsewhere, and readable on light and dark pages. */
export function logPlot({ title, x, y, series }: Plot): string {
  const known = series.map((one) => ({ ...one, points: one.points.filter((point) => point.x > 0 && point.y > 0) }))
  const all = known.flatMap(({ points }) => points)
  if (all.length === 0) throw new Error(`Expected something to plot as "${title}", got nothing above 0.`)
  const xAxis = axisOf(
    all.map((point) => point.x),
    FRAME.left,
    WIDTH - FRAME.right,
  )
  const yAxis = axisOf(
    all.map((point) => point.y),
    HEIGHT - FRAME.bottom,
    FRAME.top,
  )
  const names = apart(
    known.flatMap(({ points }, index) => {
      const last = points.at(-1)
      return last === undefined ? [] : [{ index, at: yAxis.at(last.y) }]
    }),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<style>${styleSheet()}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text class="ink" x="${FRAME.left}" y="28" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...xAxis.ticks.flatMap(({ value, isMajor }) => [
      `<line class="${isMajor ? 'grid' : 'fine'}" x1="${px(xAxis.at(value))}" x2="${px(xAxis.at(value))}" y1="${FRAME.top}" y2="${HEIGHT - FRAME.bottom}"/>`,
      ...(isMajor
        ? [
            `<text class="ink" x="${px(xAxis.at(value))}" y="${HEIGHT - FRAME.bottom + 20}" text-anchor="middle">${label(value)}</text>`,
          ]
        : []),
    ]),
    ...yAxis.ticks.flatMap(({ value, isMajor }) => [
      `<line class="${isMajor ? 'grid' : 'fine'}" x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${px(yAxis.at(value))}" y2="${px(yAxis.at(value))}"/>`,
      ...(isMajor
        ? [
            `<text class="ink" x="${FRAME.left - 8}" y="${px(yAxis.at(value) + 4)}" text-anchor="end">${label(value)}</text>`,
          ]
        : []),
    ]),
    `<text class="ink" x="${px((FRAME.left + WIDTH - FRAME.right) / 2)}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x)}</text>`,
    `<text class="ink" transform="translate(18 ${px((FRAME.top + HEIGHT - FRAME.bottom) / 2)}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
    ...known.flatMap(({ points }, index) => [
      `<polyline class="line s${index}" points="${points.map((point) => `${px(xAxis.at(point.x))},${px(yAxis.at(point.y))}`).join(' ')}"/>`,
      ...points.map(
        (point) =>
          `<circle class="dot s${index}" cx="${px(xAxis.at(point.x))}" cy="${px(yAxis.at(point.y))}" r="3.5"/>`,
      ),
    ]),
    ...names.map(
      ({ index, at }) =>
        `<text class="name s${index}" x="${WIDTH - FRAME.right + 12}" y="${px(at + 4)}">${escaped(known[index]?.name ?? '')}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n')
}

interface Axis {
  readonly at: (value: number) => number
  readonly ticks: readonly { readonly value: number; readonly isMajor: boolean }[]
}

/** An axis over the values, from one place to another. Decades have names; where there are fewer than three, so do 2 and 5. */
function axisOf(values: readonly number[], from: number, to: number): Axis {
  const [low, high] = [Math.min(...values) / 1.1, Math.max(...values) * 1.1]
  const [first, last] = [Math.log10(low), Math.log10(high)]
  const decades = Array.from(
    { length: Math.ceil(last) - Math.floor(first) + 1 },
    (_, index) => Math.floor(first) + index,
  )
  const isShort = last - first < 3
  const ticks = decades.flatMap((decade) =>
    [1, 2, 5].map((factor) => ({ value: factor * 10 ** decade, isMajor: factor === 1 || isShort })),
  )
  return {
    at: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from),
    ticks: ticks.filter(({ value }) => value >= low && value <= high),
  }
}

/** Moves names down until none covers another, and up again where they leave the frame. */
function apart(names: readonly { readonly index: number; readonly at: number }[]) {
  const sorted = [...names].sort((a, b) => a.at - b.at).map((one) => ({ ...one }))
  for (const [place, one] of sorted.entries()) one.at = Math.max(one.at, (sorted[place - 1]?.at ?? -Infinity) + LINE)
  for (const [place, one] of [...sorted.entries()].reverse())
    one.at = Math.min(
      one.at,
      sorted[place + 1] === undefined ? HEIGHT - FRAME.bottom : (sorted[place + 1]?.at ?? 0) - LINE,
    )
  return sorted
}

function styleSheet(): string {
  const rules = (isDark: boolean): string =>
    [
      `.ground{fill:${isDark ? '#0d1117' : '#ffffff'}}`,
      `.ink{fill:${isDark ? '#e6edf3' : '#1f2328'}}`,
      `.grid{stroke:${isDark ? '#3d444d' : '#c4cad1'}}`,
      `.fine{stroke:${isDark ? '#262c34' : '#e9ecef'}}`,
      ...STYLES.map(({ light, dark }, index) => {
        const colour = isDark ? dark : light
        return `.line.s${index}{stroke:${colour}}.dot.s${index},.name.s${index}{fill:${colour}}`
      }),
    ].join('')
  const dashes = STYLES.map(({ dash }, index) => (dash === '' ? '' : `.line.s${index}{stroke-dasharray:${dash}}`))
  return `.line{fill:none;stroke-width:2}.name{font-weight:600}${dashes.join('')}${rules(false)}@media(prefers-color-scheme:dark){${rules(true)}}`
}

const px = (value: number): string => String(Math.round(value * 10) / 10)
const label = (value: number): string =>
  value >= 1 ? value.toLocaleString('en') : String(Number(value.toPrecision(1)))
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
