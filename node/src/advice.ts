/** Where a platform hands over the bytes of a body, by the environment variable that shows it. */
const PLATFORMS: readonly (readonly [variable: string, advice: string])[] = [
  ['FUNCTION_TARGET', 'Firebase and Google Cloud Functions keep the bytes in req.rawBody, so hand the wrapper the very request that the function was given'],
  ['VERCEL', 'Vercel gives the bytes to the first who reads the request, so let that be the wrapper'],
  ['AWS_LAMBDA_FUNCTION_NAME', 'AWS Lambda: serverless-http and its like keep the bytes in req.body until a body parser replaces them'],
]

/** A framework's advice, with that of the platform at hand. */
export function withPlatform(advice: string): string {
  const here = PLATFORMS.filter(([variable]) => process.env[variable]).map(([, platform]) => platform)
  return [advice, ...here].join('. ')
}
