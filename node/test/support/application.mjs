// An application with a Postgres of its own, through each client: its work is a row, in the transaction of the handler.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { pgStore } from 'surehook/pg'
import { prismaStore } from 'surehook/prisma'

const require = createRequire(import.meta.url)

/** At the end of a transaction, not before, a message is refused that has two rows. */
export const WORK = `CREATE TABLE work (
  id serial PRIMARY KEY, message text NOT NULL,
  CONSTRAINT once EXCLUDE USING btree (message WITH =) DEFERRABLE INITIALLY DEFERRED)`

/** The client of each kind: `store`, and `insert`, which does the work of a message. */
export const clients = {
  pg(url) {
    const pool = new pg.Pool({ connectionString: url })
    pool.on('error', () => {})
    return {
      store: pgStore(pool),
      insert: (client, message) => client.query('INSERT INTO work (message) VALUES ($1)', [message]),
      close: () => pool.end(),
    }
  },
  prisma(url) {
    const { PrismaClient } = require('@prisma/client')
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
    return {
      store: prismaStore(prisma, { timeout: 10_000 }),
      insert: (tx, message) => tx.work.create({ data: { message } }),
      close: () => prisma.$disconnect(),
    }
  },
}

/** Prisma writes its client for a schema. It looks for a binary that only its migrations need, so any file will do. */
export function generatePrismaClient() {
  const schema = fileURLToPath(new URL('prisma/schema.prisma', import.meta.url))
  const command = [require.resolve('prisma/build/index.js'), 'generate', '--schema', schema]
  const made = spawnSync(process.execPath, command, { env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath } })
  if (made.status !== 0) throw new Error(`${made.stdout}${made.stderr}`)
}
