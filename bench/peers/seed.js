// The seed's stack: an API route with zod and Drizzle, on node:http.

import http from "node:http";
import { z } from "zod";
import { MAX_BODY_BYTES, PORT, serve, viewer } from "./common.js";
import { list, read, save } from "./drizzle.js";

const WorkflowSync = z.object({ id: z.string(), state: z.any() });

async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError("The body is too large.");
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

function answer(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

async function route(request, response) {
  const userId = viewer(request.headers.authorization);
  if (!userId) return answer(response, 401, { error: "Unauthorized" });
  if (request.method === "POST") {
    const { id, state } = WorkflowSync.parse(await body(request));
    const saved = await save(userId, id, state);
    return saved ? answer(response, 200, { success: true, ...saved }) : answer(response, 403, { error: "Forbidden" });
  }
  const id = request.url.split("/")[4];
  if (!id) return answer(response, 200, await list(userId, 20));
  const found = await read(userId, id);
  return found ? answer(response, 200, found) : answer(response, 404, { error: "Not found" });
}

serve(
  () =>
    new Promise((listening) => {
      http
        .createServer((request, response) => {
          route(request, response).catch((error) => {
            console.error("Workflow sync error:", error);
            answer(response, 500, { error: "Sync failed" });
          });
        })
        .listen(PORT, "127.0.0.1", listening);
    }),
);
