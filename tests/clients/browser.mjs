// Chromium, and how a page is looked at: by axe, and at several widths as pictures that a person can look at too.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export const launch = (program) => chromium.launch({
  executablePath: program,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none',
    // a picture of a whole page lacks frames that are processes of their own
    '--disable-features=IsolateSandboxedIframes'],
});

// What axe finds wrong in a page or frame, as text.
export async function faults(frame) {
  if (!(await frame.evaluate(() => 'axe' in window))) await frame.evaluate(axe);
  const found = await frame.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), RULES);
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html} ${node.failureSummary}`));
}

// Look at what `frame` shows of `page`: in light and dark, at 360 and 1,600 pixels.
// `theme` is told which it is to be; `settled` returns once everything has its size. Answers what axe finds wrong, and where something is wider than the window.
export async function look(page, frame, folder, name, theme = async () => {}, settled = async () => {}) {
  const wrong = [];
  for (const colors of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: colors, reducedMotion: 'reduce' });
    await theme(colors);
    for (const width of [360, 1600]) {
      await page.setViewportSize({ width, height: 800 });
      await settled();
      const wide = await frame.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) wrong.push(`${name} is ${wide} pixels too wide at ${width}`);
      await page.screenshot({ path: `${folder}/${name}-${colors}-${width}.png`, fullPage: true });
    }
    wrong.push(...(await faults(frame)).map((one) => `${name}, ${colors}: ${one}`));
  }
  return wrong;
}
