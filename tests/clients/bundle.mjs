// What a desktop client makes of a bundle, with the functions that it uses itself: it is unpacked, its manifest is
// checked, and the person's answers take the place of `${user_config.…}`. Prints the command that would be started.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getMcpConfigForManifest, unpackExtension, validateManifest } from "@anthropic-ai/mcpb";

console.log = console.warn = console.error; // what these functions tell people
const [bundle, folder, answers] = process.argv.slice(2);

if (!(await unpackExtension({ mcpbPath: bundle, outputDir: folder, silent: true }))) throw new Error("not unpacked");
if (!validateManifest(join(folder, "manifest.json"))) throw new Error("the manifest is not valid");
const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf-8"));
const config = await getMcpConfigForManifest({
  manifest,
  extensionPath: folder,
  systemDirs: { HOME: process.env.HOME },
  userConfig: JSON.parse(answers),
  pathSeparator: "/",
});
process.stdout.write(JSON.stringify(config));
