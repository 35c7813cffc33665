// The public TypeScript SDK's client, of the first or the second major version: signs in, lists, calls, is asked
// and reads. `node sdk.mjs 1|2 legacy|auto URL` prints what it saw as JSON.

const [, , major, era, url] = process.argv;
const redirect = 'http://localhost:1/callback';

// What a browser would do whose person is signed in and agrees; and where a client keeps what it was given.
class Person {
  redirectUrl = redirect;
  clientMetadata = { client_name: 'test', redirect_uris: [redirect], token_endpoint_auth_method: 'none' };
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.given; }
  saveTokens(tokens) { this.given = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  async redirectToAuthorization(address) {
    const answer = await fetch(address, { redirect: 'manual' });
    this.landed = new URL(answer.headers.get('location'));
  }
}

const asked = [];
function agree(request) {
  asked.push(request.params.message);
  return { action: 'accept', content: { confirm: true } };
}

const about = { name: 'sdk', version: '1' };
const able = { capabilities: { elicitation: {} } };

async function first() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  const client = new Client(about, able);
  client.setRequestHandler(ElicitRequestSchema, agree);
  return { client, Transport: StreamableHTTPClientTransport };
}

async function second() {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client(about, { ...able, versionNegotiation: { mode: era } });
  client.setRequestHandler('elicitation/create', agree);
  return { client, Transport: StreamableHTTPClientTransport };
}

async function connected() {
  const person = new Person();
  const begin = async () => {
    const { client, Transport } = await (major === '1' ? first() : second());
    return { client, transport: new Transport(new URL(url), { authProvider: person }) };
  };
  const before = await begin();
  await before.client.connect(before.transport).then(
    () => { throw new Error('nobody asked who this is'); },
    async (error) => { if (!person.landed) throw error; });
  await before.transport.finishAuth(person.landed.searchParams.get('code'));
  const after = await begin();
  await after.client.connect(after.transport);
  return after;
}

const { client, transport } = await connected();
const call = async (name, given) =>
  (await client.callTool({ name, arguments: { project_id: 'shop', ...given } })).structuredContent;
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const template = { type: 'DISCOUNT_VOUCHER', discount: { type: 'PERCENT', percent_off: 10 } };
const made = await call('create_voucher_pool', { name: 'Summer', voucher: template, codes: ['A'] });
await call('create_voucher', { code: 'CARD', type: 'GIFT_VOUCHER', gift: { amount: 500 } });
const started = await call('export_voucher_transactions', { code: 'CARD' });
const { data } = await call('get_export', { export_id: started.data.id, wait: 30 });
const read = await client.readResource({ uri: data.result.url });
const deleted = await call('delete_voucher_pool', { pool_id: 'Summer', force: true });
console.log(JSON.stringify({
  tools, made, deleted, asked, text: read.contents[0].text, session: transport.sessionId ?? null,
}));
await client.close();
