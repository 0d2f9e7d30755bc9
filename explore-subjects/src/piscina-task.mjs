export default async ({ a, b, forMs }) => {
  await new Promise((resolve) => setTimeout(resolve, forMs))
  return a + b
}
