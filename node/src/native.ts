import { join } from 'node:path'

import type * as Binding from '../native/binding'
import { SurehookError } from './errors'

let binding: typeof Binding | undefined

/** The native addon, loaded at the first use. */
export function native(): typeof Binding {
  return (binding ??= load())
}

function load(): typeof Binding {
  const faults: string[] = []
  for (const platform of platforms()) {
    try {
      return require(join(__dirname, '..', 'native', `surehook.${platform}.node`)) as typeof Binding
    } catch (error) {
      faults.push(firstLine(error))
    }
    try {
      return require(`@surehook/native-${platform}`) as typeof Binding
    } catch (error) {
      faults.push(firstLine(error))
    }
  }
  throw new SurehookError('addon_unavailable', advice(), { faults })
}

/** The names of the builds that may run here; on Linux both C libraries are tried, and only the right one loads. */
function platforms(): string[] {
  const base = `${process.platform}-${process.arch}`
  if (process.platform === 'linux') return [`${base}-gnu`, `${base}-musl`]
  return [process.platform === 'win32' ? `${base}-msvc` : base]
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}

function advice(): string {
  return (
    `The native addon of surehook could not be loaded for ${process.platform} ${process.arch}, Node ${process.version}. ` +
    'In Next.js a bundler must leave the package alone: export withSurehook(nextConfig) from "surehook/nextjs" in ' +
    "next.config, or add serverExternalPackages: ['surehook'] there. Elsewhere, install the package on the machine " +
    'that runs it, without --omit=optional.'
  )
}
