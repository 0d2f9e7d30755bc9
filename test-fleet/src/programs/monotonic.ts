/** The time of CLOCK_MONOTONIC in ms, which all processes of a Linux machine share. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
