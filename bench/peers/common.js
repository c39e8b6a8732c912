// What every peer shares: who is calling, a process for each core, a pool of connections.

import cluster from "node:cluster";
import { createVerifier } from "fast-jwt";
import pg from "pg";

const POOL_SIZE = 10; // node-postgres' default, in each process

export const { DATABASE_URL, JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE } = process.env;
export const PORT = Number(process.env.PORT);
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

const verify = createVerifier({
  key: JWT_SECRET,
  algorithms: ["HS256"],
  allowedIss: JWT_ISSUER,
  allowedAud: JWT_AUDIENCE,
  cache: true,
});

/** The user id that a bearer token names; null without a valid one. */
export function viewer(authorization) {
  if (!authorization?.startsWith("Bearer ")) return null;
  try {
    return verify(authorization.slice(7)).sub;
  } catch {
    return null;
  }
}

/** Serve in as many processes as WORKERS says; the first one says when all take connections. */
export async function serve(listen) {
  if (cluster.isWorker) {
    await listen();
    process.send("ready");
    return;
  }
  let waiting = Number(process.env.WORKERS);
  for (let count = waiting; count > 0; count -= 1) cluster.fork();
  cluster.on("message", () => {
    waiting -= 1;
    if (waiting === 0) console.log("ready");
  });
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGTERM");
    cluster.disconnect(() => process.exit(0));
  });
}

export function pool() {
  return new pg.Pool({ connectionString: DATABASE_URL, max: POOL_SIZE });
}
