// Works on the pages as people do: `node pages.mjs CHROMIUM ADDRESS FOLDER` reads from standard input who does what,
// a JSON list of steps, and prints what was seen as JSON. Steps: {token}: signs in; {open}: goes there; {look}: looks
// at it under that name; {press}: presses the button or link of that name, by keyboard; {text}: keeps what is read.

import { launch, look } from './browser.mjs';

const [, , program, address, folder] = process.argv;
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const steps = JSON.parse(Buffer.concat(chunks).toString());
const browser = await launch(program);
const wrong = [], texts = [];
let page;

async function fresh() {
  const context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('the server responded with')) wrong.push(message.text());
  });
}

// By keyboard alone, as far as it takes.
async function press(name) {
  const control = page.getByRole('button', { name, exact: true }).or(page.getByRole('link', { name, exact: true })).first();
  await control.waitFor();
  for (let tries = 0; tries < 60; tries += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press('Tab');
    if (tries === 59) throw new Error(`${name} is not reached by keyboard`);
  }
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
}

for (const step of steps) {
  if (step.token) {
    await fresh();
    await page.goto(`${address}/sign-in`);
    await page.getByLabel(/Your token/).fill(step.token);
    await press('Sign in');
  }
  if (step.fresh) await fresh();
  if (step.open !== undefined) await page.goto(new URL(step.open, address).href);
  if (step.press) await press(step.press);
  if (step.look) wrong.push(...await look(page, page, folder, step.look));
  if (step.text) texts.push(await page.evaluate(() => document.body.innerText));
}
console.log(JSON.stringify({ wrong, texts, url: page.url() }));
await browser.close();
