// embed.mjs DIST OUT: packs what vite built. OUT gets one gzip file for each, and page.s, which takes them into the
// executable and lists them as src/serve/web_files.cc reads them.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const [dist, out] = process.argv.slice(2).map((path) => resolve(path));

const MEDIA_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const packed = join(out, 'packed');
rmSync(packed, { recursive: true, force: true });
mkdirSync(packed, { recursive: true });

const paths = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(dist.length))
  .sort();

const files = paths.map((path) => {
  const media_type = MEDIA_TYPES[extname(path)];
  if (!media_type) throw new Error(`${path}: no media type is known for it; name it in web/embed.mjs`);
  const bytes = readFileSync(join(dist, path));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 20);
  const gz = gzipSync(bytes, { level: 9 });
  const file = join(packed, `${hash}.gz`);
  writeFileSync(file, gz);
  // Vite names what it puts into assets/ after its content.
  return { path, media_type, etag: `"${hash}"`, immutable: path.startsWith('/assets/') ? 1 : 0, file };
});

const text = (s) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const lines = ['# Written by web/embed.mjs.', '.section .rodata'];
files.forEach((file, i) => {
  lines.push(`.Lpath${i}: .asciz ${text(file.path)}`, `.Ltype${i}: .asciz ${text(file.media_type)}`, `.Letag${i}: .asciz ${text(file.etag)}`);
  lines.push(`.Lbegin${i}: .incbin ${text(file.file)}`, `.Lend${i}:`);
});
lines.push('.section .data.rel.ro,"aw"', '.balign 8', '.globl caudal_page_files', 'caudal_page_files:');
files.forEach((file, i) => lines.push(`.quad .Lpath${i}, .Ltype${i}, .Letag${i}, ${file.immutable}, .Lbegin${i}, .Lend${i}`));
lines.push('.globl caudal_page_files_end', 'caudal_page_files_end:', '.section .note.GNU-stack,"",%progbits', '');
writeFileSync(join(out, 'page.s'), lines.join('\n'));
