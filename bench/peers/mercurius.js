// Mercurius on Fastify with its JIT, and node-postgres with prepared statements.

import Fastify from "fastify";
import { GraphQLScalarType } from "graphql";
import mercurius from "mercurius";
import { MAX_BODY_BYTES, PORT, pool, serve, viewer } from "./common.js";

const db = pool();

const UPSERT = `
  INSERT INTO workflow (id, user_id, state) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = workflow.version + 1, updated_at = now()
  WHERE workflow.user_id = excluded.user_id
  RETURNING id, version, updated_at AS "savedAt"`;
const READ = "SELECT id, name, version, state FROM workflow WHERE id = $1 AND user_id = $2";
const LIST = `
  SELECT id, name, version, updated_at AS "savedAt" FROM workflow WHERE user_id = $1 ORDER BY updated_at DESC LIMIT $2`;

const schema = `
  scalar JSON
  scalar DateTime
  type Workflow { id: ID!, name: String!, version: Int!, state: JSON!, savedAt: DateTime! }
  type Saved { id: ID!, version: Int!, savedAt: DateTime! }
  type Query { workflow(id: ID!): Workflow, workflows(first: Int = 20): [Workflow!]! }
  type Mutation { saveWorkflow(id: ID!, state: JSON!): Saved! }
`;

const resolvers = {
  JSON: new GraphQLScalarType({ name: "JSON" }),
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (date) => date.toISOString() }),
  Query: {
    async workflow(_, { id }, { userId }) {
      const { rows } = await db.query({ name: "read", text: READ, values: [id, userId] });
      return rows[0];
    },
    async workflows(_, { first }, { userId }) {
      const { rows } = await db.query({ name: "list", text: LIST, values: [userId, first] });
      return rows;
    },
  },
  Mutation: {
    async saveWorkflow(_, { id, state }, { userId }) {
      const { rows } = await db.query({ name: "save", text: UPSERT, values: [id, userId, JSON.stringify(state)] });
      if (!rows.length) throw new mercurius.ErrorWithProps("Forbidden", { code: "FORBIDDEN" });
      return rows[0];
    },
  },
};

serve(async () => {
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES, onProtoPoisoning: "ignore", onConstructorPoisoning: "ignore" });
  app.addHook("onRequest", async (request, reply) => {
    request.userId = viewer(request.headers.authorization);
    if (!request.userId) return reply.code(401).send({ error: "Unauthorized" });
  });
  app.register(mercurius, { schema, resolvers, jit: 1, context: ({ userId }) => ({ userId }) });
  await app.listen({ port: PORT, host: "127.0.0.1" });
});
