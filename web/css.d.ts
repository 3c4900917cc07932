/** Sheets that main.tsx imports: build/web.mjs joins them after style.css into the page's one. */
declare module '*.css'
