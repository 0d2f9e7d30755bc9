import workerpool from 'workerpool'

workerpool.worker({
  add: async (a, b, forMs) => {
    await new Promise((resolve) => setTimeout(resolve, forMs))
    return a + b
  },
})
