// A chat that shows views: the reference host's bridge (ext-apps) between a real client of the server and a real frame.

import { AppBridge } from '@modelcontextprotocol/ext-apps/app-bridge';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const MIME = 'text/html;profile=mcp-app';
const WHERE = 'https://view.example';
// what a host allows a view that asks for nothing (MCP Apps 2026-01-26)
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; media-src 'self' data:; connect-src 'none'";
const about = { name: 'chat', version: '1' };

export async function connected(url, token, era, answers) {
  const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [MIME] } } };
  const client = new Client(about, { capabilities, versionNegotiation: { mode: era } });
  client.setRequestHandler('elicitation/create', answers);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

// The view of a tool's answer in a page of its own, as a chat shows it.
export async function shown(browser, client, tools, name, given, abilities = { serverTools: {}, updateModelContext: { text: {} } }) {
  const uri = tools.find((tool) => tool.name === name)._meta.ui.resourceUri;
  const [{ text: html, mimeType }] = (await client.readResource({ uri })).contents;
  if (mimeType !== MIME) throw new Error(`a view of the type ${mimeType}`);
  const page = await browser.newPage();
  const requests = [], trouble = [];
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') trouble.push(message.text()); });
  await page.route('**/*', (route) => {
    const address = route.request().url();
    if (address === `${WHERE}/chat`) return route.fulfill({ contentType: 'text/html', body: frame() });
    if (address === `${WHERE}/view`) {
      return route.fulfill({ contentType: 'text/html; charset=utf-8', headers: { 'content-security-policy': POLICY }, body: html });
    }
    requests.push(address);
    return route.abort();
  });

  const bridge = new AppBridge(client, about, abilities, { hostContext: { theme: 'light' } });
  const told = [];
  bridge.onupdatemodelcontext = async ({ content }) => { told.push(...content.map((block) => block.text)); return {}; };
  const transport = {
    async start() {},
    async close() {},
    send: (message) => page.evaluate((one) => document.querySelector('iframe').contentWindow.postMessage(one, '*'), message),
  };
  await page.exposeFunction('fromView', (message) => transport.onmessage(message));
  await page.addInitScript(() => {
    if (window !== window.top) return;
    window.addEventListener('message', ({ source, data }) => {
      if (source === document.querySelector('iframe').contentWindow) window.fromView(data);
    });
  });
  const ready = new Promise((resolve) => bridge.addEventListener('initialized', resolve));
  bridge.addEventListener('sizechange', ({ height }) => {
    page.evaluate((value) => { document.querySelector('iframe').style.height = `${value}px`; }, height).catch(() => {});
  });
  await bridge.connect(transport);
  await page.goto(`${WHERE}/chat`);
  await ready;
  const result = await client.callTool({ name, arguments: given });
  await bridge.sendToolInput({ arguments: given });
  await bridge.sendToolResult(result);
  const view = page.frames().find((one) => one.url() === `${WHERE}/view`);
  await view.waitForFunction(() => !document.body.innerText.includes('Waiting for the answer'));
  const theme = async (colors) => {
    bridge.setHostContext({ theme: colors });
    await view.waitForFunction((value) => document.documentElement.dataset.theme === value, colors);
  };
  const settled = async () => {
    await view.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const height = await view.evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
    await page.waitForFunction((value) => document.querySelector('iframe').clientHeight === value, height);
    await page.evaluate(() => window.scrollTo(0, 0));
  };
  return { page, view, result, requests, trouble, told, theme, settled };
}

function frame() {
  return `<!doctype html><html lang="en"><title>Chat</title><body style="margin: 0">
<iframe title="view" sandbox="allow-scripts" src="${WHERE}/view" style="border: 0; width: 100%; height: 100px"></iframe>`;
}
