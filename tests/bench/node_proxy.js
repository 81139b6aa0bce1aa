// Node's http-proxy as its README shows it, with a keep-alive agent.
// usage: node node_proxy.js PLAIN_PORT NORM_PORT ORIGIN_PORT USER_AGENT AUTHORIZATION
"use strict";
const http = require("http");
const httpProxy = require("http-proxy");

const [plain, norm, origin, userAgent, authorization] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${origin}`,
  agent: new http.Agent({ keepAlive: true, maxFreeSockets: 1024 }),
});
proxy.on("error", (error, request, response) => response.destroy());

const backlog = 4096;
http
  .createServer((request, response) => proxy.web(request, response))
  .listen({ port: Number(plain), host: "127.0.0.1", backlog });
http
  .createServer((request, response) => {
    const verb = request.headers["x-http-method-override"];
    if (verb) {
      request.method = verb;
      delete request.headers["x-http-method-override"];
    }
    request.headers["user-agent"] = userAgent;
    request.headers.authorization = authorization;
    proxy.web(request, response);
  })
  .listen({ port: Number(norm), host: "127.0.0.1", backlog });
