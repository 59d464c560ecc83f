import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

let known: { name: string | undefined } | undefined

/** What the application is called, where nobody says so: the name in the `package.json` it was started beside. */
export function packageName(): string | undefined {
  known ??= { name: search(startedIn()) }
  return known.name
}

function startedIn(): string {
  try {
    return process.cwd()
  } catch {
    // The directory is gone.
    return '/'
  }
}

function search(folder: string): string | undefined {
  const name = nameIn(join(folder, 'package.json'))
  const above = dirname(folder)
  return name ?? (above === folder ? undefined : search(above))
}

function nameIn(file: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}
