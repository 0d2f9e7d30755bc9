import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isKnown, readMetricsPage, type MetricsPage, type TextSample } from './prometheus-text.js'

/** Each law is tried on few pages here, and on many in the soak of laws. */
const MANY = { quick: 5, whole: 50 }[process.env['CHAOS_SOAK'] ?? ''] ?? 1

const read = (text: string, ...names: readonly string[]): MetricsPage => readMetricsPage(text, new Set(names))
/** The values of a page, or none where it cannot be read. */
const readOrNothing = (text: string): readonly number[] => {
  try {
    return read(text, 'a').samples.map((one) => one.value)
  } catch {
    return []
  }
}
const valueOf = (line: string): number | undefined => read(line, 'a').samples[0]?.value

describe('a page in the Prometheus text format', () => {
  it('is read sample by sample', () => {
    const page = [
      '# HELP hz How fast the loop turns.',
      '# TYPE hz gauge',
      'hz 99.5',
      'up{worker="loop",} 1',
      'lag_bucket{le="+Inf",route="/api/:id"} 12 1395066363000',
      'escaped{text="a \\"b\\"\\n\\\\ {c=\\"d\\"}, e # 1"} 1e3',
      'infinite +Inf',
      'low -Inf',
      'unknown NaN',
      '',
      'no sample at all',
    ].join('\n')
    expect(read(page, 'hz', 'up', 'lag_bucket', 'escaped', 'infinite', 'low', 'unknown').samples).toEqual([
      { series: 'hz', labels: {}, value: 99.5 },
      { series: 'up', labels: { worker: 'loop' }, value: 1 },
      { series: 'lag_bucket', labels: { le: '+Inf', route: '/api/:id' }, value: 12 },
      { series: 'escaped', labels: { text: 'a "b"\n\\ {c="d"}, e # 1' }, value: 1_000 },
      { series: 'infinite', labels: {}, value: Number.POSITIVE_INFINITY },
      { series: 'low', labels: {}, value: Number.NEGATIVE_INFINITY },
      { series: 'unknown', labels: {}, value: Number.NaN },
    ])
  })

  it.each([
    ['an exemplar', 'a 5 # {trace_id="x"} 0.5 1600000000.1', 5],
    ['an exemplar without a time', 'a{b="c"} 5 # {trace_id="x"} 0.5', 5],
    ['an exemplar behind a time', 'a 5 1600000000.5 # {} 0.5', 5],
    ['a time in seconds', 'a 5 1600000000.123', 5],
    ['a time before 1970', 'a 5 -1', 5],
    ['a name in quotes', '{"a",b="c"} 5', 5],
    ['a name in quotes, alone', '{"a"} 5', 5],
    ['a label in quotes', 'a{"b.c"="d"} 5', 5],
    ['tabs, and blanks at the ends', '\t a\t{ b = "c" , }\t5 \t', 5],
    ['a line of Windows', 'a 5\r\n', 5],
    ['an exponent', 'a -1.5E-3', -0.0015],
    ['a dot in front', 'a .5', 0.5],
    ['a dot behind', 'a 5.', 5],
    ['infinity in full', 'a +Infinity', Number.POSITIVE_INFINITY],
  ])('may have %s', (_title, line, expected) => {
    expect(valueOf(line)).toBe(expected)
  })

  it.each([
    ['no value', 'a'],
    ['no value behind its labels', 'a{b="c"}'],
    ['a hexadecimal value', 'a 0x10'],
    ['a value that is a word', 'a five'],
    ['a value that no number can hold', 'a 1e309'],
    ['a value with a comma', 'a 1,000'],
    ['two values', 'a 5 6 7'],
    ['an exemplar that is cut short', 'a 5 # {trace_id="x"}'],
    ['an exemplar without braces', 'a 5 # 0.5'],
    ['labels that do not end', 'a{b="c" 5'],
    ['a label that does not end', 'a{b="c} 5'],
    ['a label without quotes', 'a{b=c} 5'],
    ['a label twice', 'a{b="c",b="d"} 5'],
    ['two names', 'a{"a"} 5'],
    ['a name in an unknown place', '{b="c","a"} 5'],
    ['a name that goes on', 'a-b 5'],
    ['too many labels', `a{${Array.from({ length: 65 }, (_, n) => `l${n}="x"`).join(',')}} 5`],
    ['too long a label', `a{b="${'x'.repeat(5_000)}"} 5`],
    ['too long a line', `a 5${' '.repeat(70_000)}`],
  ])('is not read wrongly where a line of a wanted series has %s', (_title, line) => {
    expect(() => read(`b 1\n${line}\n`, 'a')).toThrow(/^line 2 of the page cannot be read: /)
    expect(read(line, 'other').samples).toEqual([])
  })

  it.each([['a 1\na 2'], ['a{b="c",d="e"} 1\na{d="e",b="c"} 1'], ['a{le="1"} 1\na{le="1.0"} 1'], ['a 1\n{"a"} 1']])(
    'is not read where a series is there twice: %j',
    (page) => {
      expect(() => read(page, 'a')).toThrow('occurs twice')
    },
  )

  it('ends where it says so, and has to where it is OpenMetrics', () => {
    expect(read('a 1\n# EOF\n', 'a').samples).toHaveLength(1)
    expect(() => read('a 1\n# EOF\na 2', 'a')).toThrow('line 3: the page goes on after # EOF')
    expect(() => readMetricsPage('a 1\n', new Set(['a']), { mustEnd: true })).toThrow('cut short')
  })

  it('has at most so many samples of the wanted series', () => {
    const page = Array.from({ length: 5_001 }, (_, n) => `a{n="${n}"} 1`).join('\n')
    expect(() => read(page, 'a')).toThrow('the page has more than 5000 samples of a')
    expect(read(page, 'b').samples).toEqual([])
  })

  it.each([
    ['any sample of its name', 'a{b="c"} 1', 'a', true],
    ['its type', '# TYPE a counter', 'a', true],
    ['its help', '# HELP a What it is.', 'a', true],
    ['the type of its counter', '# TYPE a counter', 'a_total', true],
    ['the type of its histogram', '# TYPE a histogram', 'a_bucket', true],
    ['a type in quotes', '# TYPE "a.b" gauge', 'a.b', true],
    ['no type of another kind', '# TYPE a gauge', 'a_total', false],
    ['no longer name', '# TYPE ab counter\nab 1', 'a', false],
    ['no word of a comment', '# see TYPE a', 'a', false],
    ['no help that stands in no line of its own', 'b 1 # HELP a x', 'a', false],
  ])('knows a series by %s', (_title, page, series, expected) => {
    expect(isKnown(series, read(page, series))).toBe(expected)
  })

  it('is read as it was written, whatever stands in it', () => {
    const label = fc
      .oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('}', '{', '"', '\\', '\n', ' # {a="b"} 1', 'a 5', '__proto__'),
      )
      .map((text) => text.replace(/\r/g, ''))
    const word = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/)
    const value = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN),
    )
    const series = fc.oneof(
      word,
      label.filter((text) => text !== ''),
    )
    const sample = fc.record({
      series,
      labels: fc.dictionary(
        fc.oneof(
          word,
          label.filter((text) => text !== ''),
        ),
        label,
        { maxKeys: 5 },
      ),
      value,
    })
    const escaped = (text: string): string =>
      `"${text.replace(/[\\"\n]/g, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`))}"`
    const isPlain = (text: string): boolean => /^[a-zA-Z_]\w*$/.test(text)
    const printed = (one: TextSample, tail: string): string => {
      const labels = Object.entries(one.labels).map(
        ([name, text]) => `${isPlain(name) ? name : escaped(name)}=${escaped(text)}`,
      )
      const shownValue = Number.isFinite(one.value)
        ? String(one.value)
        : Number.isNaN(one.value)
          ? 'NaN'
          : one.value > 0
            ? '+Inf'
            : '-Inf'
      return `${isPlain(one.series) ? `${one.series}{${labels.join(',')}}` : `{${[escaped(one.series), ...labels].join(', ')}}`} ${shownValue}${tail}`
    }
    const tails = fc.constantFrom('', ' 1600000000', ' # {id="} 7"} 3', ' 1.5 # {} 3 4', ' ')
    fc.assert(
      fc.property(
        fc.uniqueArray(sample, {
          selector: (one) =>
            JSON.stringify([
              one.series,
              Object.entries(one.labels)
                .filter(([name]) => name !== 'le')
                .sort(),
            ]),
          maxLength: 6,
        }),
        tails,
        (written, tail) => {
          const page = ['# TYPE x counter', ...written.map((one) => printed(one, tail)), '# EOF', ''].join('\n')
          const { samples } = read(page, ...written.map((one) => one.series))
          expect(samples).toEqual(
            written.map((one) => ({
              ...one,
              value: Object.is(one.value, -0) ? (expect.closeTo(0) as unknown) : one.value,
            })),
          )
        },
      ),
      { numRuns: 100 * MANY },
    )
  })

  it('gives the value that was written or none, wherever a line is cut or changed', () => {
    const line = 'a{b="c \\" d"} 125 1600000000 # {trace="e"} 0.5 1600000001'
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.string({ maxLength: 3 }), (at, text) => {
        const changed = line.slice(0, at) + text + line.slice(at + 1)
        const values = readOrNothing(changed)
        // A change within the number itself is another number.
        if (at < 12 || at > 17) for (const value of values) expect(value).toBe(125)
      }),
      { numRuns: 500 * MANY },
    )
  })
})
