// Hocuspocus with its database extension: one process, since more of them need Redis.

import { Database } from "@hocuspocus/extension-database";
import { Server } from "@hocuspocus/server";
import { PORT, pool, viewer } from "./common.js";

const db = pool();

const READ = "SELECT state FROM document WHERE name = $1";
const UPSERT = "INSERT INTO document (name, state) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET state = excluded.state";

const server = new Server({
  port: PORT,
  address: "127.0.0.1",
  quiet: true,
  stopOnSignals: true,
  async onAuthenticate({ token }) {
    const userId = viewer(`Bearer ${token}`);
    if (!userId) throw new Error("Unauthorized");
    return { userId };
  },
  extensions: [
    new Database({
      async fetch({ documentName }) {
        const { rows } = await db.query({ name: "read", text: READ, values: [documentName] });
        return rows[0]?.state ?? null;
      },
      async store({ documentName, state }) {
        await db.query({ name: "save", text: UPSERT, values: [documentName, state] });
      },
    }),
  ],
});

await server.listen();
console.log("ready");
