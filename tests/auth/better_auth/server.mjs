// Better Auth as an application runs it: `node server.mjs`, with DATABASE_URL and BETTER_AUTH_SECRET.
// It writes its address on one line when it is ready, and ends with its standard input.

import { createServer } from 'node:http'
import process from 'node:process'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { admin, jwt } from 'better-auth/plugins'
import pg from 'pg'

const server = createServer()
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const address = `http://127.0.0.1:${server.address().port}`

const options = {
  baseURL: address,
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL }),
  emailAndPassword: { enabled: true },
  plugins: [jwt(), admin()],
}
const { runMigrations } = await getMigrations(options)
await runMigrations()
server.on('request', toNodeHandler(betterAuth(options)))

console.log(address)
process.stdin.on('end', () => process.exit()).resume()
