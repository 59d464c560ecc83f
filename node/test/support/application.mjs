// An application with a Postgres of its own, through each client: its work is a row, in the transaction of the handler.
import { createRequire } from 'node:module'
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
