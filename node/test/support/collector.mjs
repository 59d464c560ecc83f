// The real collector, as `surehook dev` starts it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const SUREHOOK = fileURLToPath(new URL('../../../target/debug/surehook', import.meta.url))

/** Starts a collector with a data directory of its own. */
export async function startCollector() {
  if (!existsSync(SUREHOOK)) throw new Error(`${SUREHOOK} is missing: build it with \`cargo build -p surehook-cli\``)
  const directory = mkdtempSync(join(tmpdir(), 'surehook-collector-'))
  const child = spawn(SUREHOOK, ['dev', '--port', '0', '--data-dir', directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const env = await new Promise((resolve, reject) => {
    const found = {}
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, name, value] = /^(SUREHOOK_\w+)=(.+)$/.exec(line) ?? []
      if (name) found[name] = value
      if (found.SUREHOOK_API_KEY && found.SUREHOOK_ENDPOINT) resolve(found)
    })
    child.once('exit', (code) => reject(new Error(`the collector ended with ${code}`)))
  })
  const get = async (path) => (await fetch(env.SUREHOOK_ENDPOINT + path)).json()
  return {
    env,
    get,
    totals: async () => (await get('/api/overview?window=1h')).totals,
    async messages(query = '') {
      const { messages } = await get(`/api/messages?limit=200${query}`)
      return messages
    },
    async attempts(messageId) {
      const [message] = await this.messages(`&message_id=${encodeURIComponent(messageId)}`)
      return message ? (await get(`/api/messages/${message.id}`)).attempts_list : []
    },
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
