import Database from 'libsql'

interface ClerkEvent {
  type: string
  data: {
    id: string
    name?: string
    user_id?: string
    created_by?: string
    primary_email_address_id?: string | null
    email_addresses?: { id: string; email_address: string }[]
  }
}

let opened: Database.Database | undefined

/** Opened with the first event: `next build` loads this module as well, where there is no database. */
function database(): Database.Database {
  if (opened) return opened
  opened = new Database(process.env.DATABASE_PATH ?? 'users.db')
  opened.exec(`
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT);
    CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS organizations (id TEXT PRIMARY KEY, name TEXT, owner TEXT NOT NULL REFERENCES users (id));
  `)
  return opened
}

const statements: Record<string, (data: ClerkEvent['data']) => void> = {
  'user.created': (user) => run('INSERT INTO users (id, email) VALUES (?, ?)', user.id, email(user)),
  'user.updated': (user) => run('UPDATE users SET email = ? WHERE id = ?', email(user), user.id),
  'user.deleted': (user) => run('DELETE FROM users WHERE id = ?', user.id),
  'session.created': (session) =>
    run('INSERT INTO sessions (id, user_id) VALUES (?, ?)', session.id, session.user_id),
  'organization.created': (organization) =>
    run('INSERT INTO organizations (id, name, owner) VALUES (?, ?, ?)', organization.id, organization.name, organization.created_by),
}

/** Writes what a Clerk event says; event types that this application has no use for are let pass. */
export function applyEvent({ type, data }: ClerkEvent): void {
  statements[type]?.(data)
}

function run(sql: string, ...values: unknown[]): void {
  database().prepare(sql).run(...values)
}

function email({ email_addresses: addresses = [], primary_email_address_id: primary }: ClerkEvent['data']): string | null {
  const address = addresses.find(({ id }) => id === primary) ?? addresses[0]
  return address?.email_address ?? null
}
