const PACKAGE = 'surehook'

/** The part of a Next.js configuration that matters here. */
interface NextConfigLike {
  serverExternalPackages?: string[]
}

/** A configuration, or the function that makes one. */
type Configuration<Config> = Config | ((...args: never[]) => Config | Promise<Config>)

/**
 * Wraps the configuration of Next.js, so that its bundler leaves the package and its native addon alone.
 *
 * ```ts
 * export default withSurehook({ reactStrictMode: true })
 * ```
 */
export function withSurehook<Config extends object, Wrapped extends Configuration<Config>>(config?: Wrapped): Wrapped {
  if (typeof config !== 'function') return withPackage(config ?? {}) as Wrapped
  return (async (...args: never[]) => withPackage((await config(...args)) as NextConfigLike)) as Wrapped
}

function withPackage<Config extends NextConfigLike>(config: Config): Config {
  const packages = config.serverExternalPackages ?? []
  return packages.includes(PACKAGE) ? config : { ...config, serverExternalPackages: [...packages, PACKAGE] }
}
