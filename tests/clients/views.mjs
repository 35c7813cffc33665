// Looks at the views of answers in a chat: `node views.mjs CHROMIUM URL TOKEN ERA FOLDER` prints what it saw as JSON.

import { launch, look } from './browser.mjs';
import { connected, shown } from './chat.mjs';

const [, , program, url, token, era, folder] = process.argv;
const SHOP = { project_id: 'shop' };
const client = await connected(url, token, era, () => ({ action: 'accept', content: { confirm: true } }));
const { tools } = await client.listTools();
const { resources } = await client.listResources();
const browser = await launch(program);
const wrong = [];

const text = ({ view }) => view.evaluate(() => document.body.innerText);
const ended = async (one) => {
  wrong.push(...one.trouble, ...one.requests.map((address) => `${address} was asked for`));
  await one.page.close();
};

async function voucher(name, given) {
  const one = await shown(browser, client, tools, 'get_voucher', { ...SHOP, ...given });
  if (name === 'card') wrong.push(...await look(one.page, one.view, folder, 'voucher', one.theme, one.settled));
  await one.page.setViewportSize({ width: 360, height: 800 });
  for (const [number, picture] of (await one.view.$$('svg.picture')).entries()) {
    await picture.screenshot({ path: `${folder}/code-${name}-${number}.png` });
  }
  const seen = { text: await text(one), images: await one.view.$$eval('img, b', (found) => found.length) };
  await ended(one);
  return seen;
}

async function pools() {
  const one = await shown(browser, client, tools, 'list_voucher_pools', SHOP);
  await one.view.getByText('Runs out').first().waitFor(); // which the other tool says
  wrong.push(...await look(one.page, one.view, folder, 'pools', one.theme, one.settled));
  const bars = await one.view.$$eval('svg.bar', (found) => found.map((bar) => bar.getAttribute('aria-label')));
  const seen = { text: await text(one), bars, images: await one.view.$$eval('img, b', (found) => found.length) };
  await ended(one);
  return seen;
}

// The last write is taken back in the chat, by keyboard: the button, the question, and what is there then.
async function changes() {
  const one = await shown(browser, client, tools, 'list_changes', { ...SHOP, limit: 5 });
  const before = await text(one);
  wrong.push(...await look(one.page, one.view, folder, 'changes', one.theme, one.settled));
  const button = one.view.getByRole('button', { name: /^Take back/ }).first();
  await button.focus();
  await one.page.keyboard.press('Enter');
  await one.view.getByRole('button', { name: /^Yes, take back/ }).waitFor();
  await one.page.keyboard.press('Enter');
  await one.view.getByText('was taken back.').waitFor();
  wrong.push(...await look(one.page, one.view, folder, 'changes-undone', one.theme, one.settled));
  const seen = { before, after: await text(one), told: one.told };
  await ended(one);
  return seen;
}

// A pool's deletion waits for a second person; nobody decides.
async function approval() {
  const given = { ...SHOP, pool_id: 'Summer', idempotency_key: 'delete' };
  const one = await shown(browser, client, tools, 'delete_voucher_pool', given);
  wrong.push(...await look(one.page, one.view, folder, 'approval', one.theme, one.settled));
  await one.view.getByRole('button', { name: 'Try again' }).press('Enter');
  await one.view.getByText('Nobody has decided it yet.').waitFor();
  const seen = await text(one);
  await ended(one);
  return seen;
}

const seen = {
  tools: tools.filter((tool) => tool._meta?.ui).map((tool) => tool.name),
  resources: resources.map(({ uri, mimeType }) => ({ uri, mimeType })),
  card: await voucher('card', { code: 'GIFT-CARD-2026' }),
  hostile: await voucher('hostile', { code: 'ÅÄÖ' }),
  missing: await voucher('missing', { code: 'NOBODY' }),
  pools: await pools(),
  changes: await changes(),
  approval: await approval(),
  wrong,
};
console.log(JSON.stringify(seen));
await browser.close();
await client.close();
