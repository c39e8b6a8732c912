// PostGraphile 5: the API that it makes of the table and of a function that saves.

import http from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { DATABASE_URL, MAX_BODY_BYTES, PORT, serve, viewer } from "./common.js";

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ["public"] })],
  grafast: {
    explain: false,
    context({ node }) {
      const userId = viewer(node?.req?.headers.authorization);
      if (!userId) throw new Error("Unauthorized");
      return { pgSettings: { role: "visitor", "app.user_id": userId } };
    },
  },
  grafserv: { graphiql: false, maxRequestLength: MAX_BODY_BYTES, watch: false },
};

serve(async () => {
  const server = http.createServer();
  const instance = postgraphile(preset).createServ(grafserv);
  await instance.addTo(server);
  await instance.ready?.();
  await new Promise((listening) => {
    server.listen(PORT, "127.0.0.1", listening);
  });
});
