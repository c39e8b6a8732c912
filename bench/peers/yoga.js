// GraphQL Yoga with Drizzle; subscriptions by graphql-ws, told between the processes by NOTIFY.

import http from "node:http";
import { GraphQLScalarType } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { createGraphQLError, createPubSub, createSchema, createYoga } from "graphql-yoga";
import pg from "pg";
import { WebSocketServer } from "ws";
import { DATABASE_URL, PORT, pool, serve, viewer } from "./common.js";
import { list, read, save } from "./drizzle.js";

const CHANNEL = "workflow_saved";
const pubSub = createPubSub();
const announcer = pool();

const typeDefs = /* GraphQL */ `
  scalar JSON
  scalar DateTime
  type Workflow { id: ID!, name: String!, version: Int!, state: JSON!, updatedAt: DateTime! }
  type Saved { id: ID!, version: Int!, updatedAt: DateTime! }
  type WorkflowSaved { version: Int!, savedBy: ID!, changes: JSON }
  type Query { workflow(id: ID!): Workflow, workflows(first: Int = 20): [Workflow!]! }
  # \`changes\` is what the subscribers are told
  type Mutation { saveWorkflow(id: ID!, state: JSON!, changes: JSON): Saved! }
  type Subscription { workflowSaved(id: ID!): WorkflowSaved! }
`;

const resolvers = {
  JSON: new GraphQLScalarType({ name: "JSON" }),
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (date) => date.toISOString() }),
  Query: {
    workflow: (_, { id }, { userId }) => read(userId, id),
    workflows: (_, { first }, { userId }) => list(userId, first),
  },
  Mutation: {
    async saveWorkflow(_, { id, state, changes }, { userId }) {
      const saved = await save(userId, id, state);
      if (!saved) throw createGraphQLError("Forbidden", { extensions: { code: "FORBIDDEN" } });
      if (changes) await announce({ id, version: saved.version, savedBy: userId, changes });
      return saved;
    },
  },
  Subscription: {
    workflowSaved: { subscribe: (_, { id }) => pubSub.subscribe(id), resolve: (event) => event },
  },
};

function announce(event) {
  return announcer.query({ name: "announce", text: "SELECT pg_notify($1, $2)", values: [CHANNEL, JSON.stringify(event)] });
}

async function listen() {
  const listener = new pg.Client({ connectionString: DATABASE_URL });
  await listener.connect();
  listener.on("notification", ({ payload }) => {
    const event = JSON.parse(payload);
    pubSub.publish(event.id, event);
  });
  await listener.query(`LISTEN ${CHANNEL}`);
}

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ request, connectionParams }) => {
    const userId = viewer(connectionParams?.Authorization ?? request?.headers.get("authorization"));
    if (!userId) throw createGraphQLError("Unauthorized", { extensions: { code: "UNAUTHENTICATED", http: { status: 401 } } });
    return { userId };
  },
  graphiql: false,
  landingPage: false,
  logging: false,
});

async function subscribed(context, _id, params) {
  const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
    connectionParams: context.connectionParams,
    params,
  });
  const args = {
    schema,
    operationName: params.operationName,
    document: parse(params.query),
    variableValues: params.variables,
    contextValue: await contextFactory(),
    rootValue: { execute, subscribe },
  };
  const errors = validate(args.schema, args.document);
  return errors.length ? errors : args;
}

serve(async () => {
  await listen();
  const server = http.createServer(yoga);
  useServer(
    {
      execute: (args) => args.rootValue.execute(args),
      subscribe: (args) => args.rootValue.subscribe(args),
      onConnect: ({ connectionParams }) => viewer(connectionParams?.Authorization) !== null,
      onSubscribe: subscribed,
    },
    new WebSocketServer({ server, path: "/graphql" }),
  );
  await new Promise((listening) => {
    server.listen(PORT, "127.0.0.1", 1024, listening);
  });
});
