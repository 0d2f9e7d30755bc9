/** The meaning of each mark, in order. */
export const MARK_WORDS = {
  t0: 'fault landed',
  t1: 'condition true',
  t2: 'alert fired',
  t3: 'notification arrived',
  t4: 'fault ended',
  t5: 'steady state back',
  t6: 'alerts gone',
  t7: 'steady state held',
} as const
