import Database from 'libsql'

const database = new Database(process.env.DATABASE_PATH ?? 'users.db')
database.exec(`
  PRAGMA busy_timeout = 5000;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT);
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS organizations (id TEXT PRIMARY KEY, name TEXT, owner TEXT NOT NULL REFERENCES users (id));
`)

const statements = {
  'user.created': ({ id, ...user }) => run('INSERT INTO users (id, email) VALUES (?, ?)', id, email(user)),
  'user.updated': ({ id, ...user }) => run('UPDATE users SET email = ? WHERE id = ?', email(user), id),
  'user.deleted': ({ id }) => run('DELETE FROM users WHERE id = ?', id),
  'session.created': ({ id, user_id }) => run('INSERT INTO sessions (id, user_id) VALUES (?, ?)', id, user_id),
  'organization.created': ({ id, name, created_by }) =>
    run('INSERT INTO organizations (id, name, owner) VALUES (?, ?, ?)', id, name, created_by),
}

/** Writes what a Clerk event says; event types that this application has no use for are let pass. */
export function applyEvent({ type, data }) {
  statements[type]?.(data)
}

function run(sql, ...values) {
  database.prepare(sql).run(...values)
}

function email({ email_addresses: addresses = [], primary_email_address_id: primary }) {
  const address = addresses.find(({ id }) => id === primary) ?? addresses[0]
  return address?.email_address ?? null
}
