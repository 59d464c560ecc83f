// Writes Prisma's client for the schema beside this file. Prisma looks for a binary that only its migrations need, and would
// download it; any file will do in its place.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
const schema = fileURLToPath(new URL('schema.prisma', import.meta.url))
const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
const { status, stdout, stderr } = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema], { env })
if (status !== 0) throw new Error(`${stdout}${stderr}`)
