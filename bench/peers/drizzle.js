// The table as Drizzle sees it, and the three statements that the peers with Drizzle run.

import { and, desc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { pool } from "./common.js";

const workflow = pgTable("workflow", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  name: text("name").notNull().default("Untitled"),
  state: jsonb("state").notNull(),
  version: integer("version").notNull().default(1),
  updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
});

const db = drizzle(pool());

const upsert = db
  .insert(workflow)
  .values({ id: sql.placeholder("id"), userId: sql.placeholder("userId"), state: sql.placeholder("state") })
  .onConflictDoUpdate({
    target: workflow.id,
    set: { state: sql`excluded.state`, version: sql`${workflow.version} + 1`, updatedAt: sql`now()` },
    setWhere: eq(workflow.userId, sql`excluded.user_id`),
  })
  .returning({ id: workflow.id, version: workflow.version, updatedAt: workflow.updatedAt })
  .prepare("save");

const one = db
  .select({ id: workflow.id, version: workflow.version, state: workflow.state })
  .from(workflow)
  .where(and(eq(workflow.id, sql.placeholder("id")), eq(workflow.userId, sql.placeholder("userId"))))
  .prepare("read");

const page = db
  .select({ id: workflow.id, name: workflow.name, version: workflow.version, updatedAt: workflow.updatedAt })
  .from(workflow)
  .where(eq(workflow.userId, sql.placeholder("userId")))
  .orderBy(desc(workflow.updatedAt))
  .limit(sql.placeholder("first"))
  .prepare("list");

/** Write a whole document; undefined where the workflow is somebody else's. */
export async function save(userId, id, state) {
  const [saved] = await upsert.execute({ id, userId, state });
  return saved;
}

export async function read(userId, id) {
  const [found] = await one.execute({ id, userId });
  return found;
}

export function list(userId, first) {
  return page.execute({ userId, first });
}
