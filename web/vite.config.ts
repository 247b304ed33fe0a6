import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // The policy of the daemon allows no data: scripts, and small files pass by themselves.
    assetsInlineLimit: 0,
    // The notices of what is bundled go with it.
    license: { fileName: 'licenses.txt' },
    modulePreload: { polyfill: false },
  },
  // `npx vite` while one works on the page: a daemon answers.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8088', changeOrigin: true } } },
});
