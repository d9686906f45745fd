import MarkdownIt from 'markdown-it';
import { documentAt, pathOf } from './documents';

/** A document as HTML, with the URLs that `urlOf` gives to other documents. Links to files that are not part of the page become text. */
export function toHtml(markdown: string, name: string, urlOf: (name: string, hash: string) => string): string {
  const path = pathOf(name) ?? '';
  const md = new MarkdownIt({ html: false });
  const { rules } = md.renderer;
  const used = new Map<string, number>();

  rules.heading_open = (tokens, index, options, _env, renderer) => {
    const id = slug(tokens[index + 1]?.content ?? '');
    const before = used.get(id) ?? 0;
    used.set(id, before + 1);
    tokens[index]?.attrSet('id', before ? `${id}-${before}` : id);
    return renderer.renderToken(tokens, index, options);
  };
  const linked: boolean[] = [];
  rules.link_open = (tokens, index, options, _env, renderer) => {
    const token = tokens[index];
    const url = resolve(String(token?.attrGet('href') ?? ''), path, name, urlOf);
    linked.push(url !== undefined);
    if (url === undefined) return '';
    token?.attrSet('href', url);
    return renderer.renderToken(tokens, index, options);
  };
  rules.link_close = (tokens, index, options, _env, renderer) => (linked.pop() ? renderer.renderToken(tokens, index, options) : '');
  // A column without a heading.
  for (const rule of ['th_open', 'th_close'] as const) {
    rules[rule] = (tokens, index, options, _env, renderer) => {
      const token = tokens[index];
      if (token && tokens[rule === 'th_open' ? index + 1 : index - 1]?.content === '') token.tag = 'td';
      return renderer.renderToken(tokens, index, options);
    };
  }
  rules.image = () => '';
  // What is wider than the page is scrolled, with the keyboard too.
  rules.table_open = () => '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>';
  rules.table_close = () => '</table></div>';
  const fence = rules.fence;
  rules.fence = (...all) => (fence?.(...all) ?? '').replace('<pre>', '<pre tabindex="0">');
  return md.render(markdown);
}

/** The identifier of a heading, as GitHub makes it. */
export function slug(heading: string): string {
  return heading
    .replace(/[`*]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function resolve(href: string, from: string, name: string, urlOf: (name: string, hash: string) => string): string | undefined {
  if (/^https?:/.test(href)) return href;
  const { pathname, hash } = new URL(href, `file:///${from}`);
  const document = href.startsWith('#') ? name : documentAt(decodeURIComponent(pathname.slice(1)));
  return document && urlOf(document, hash);
}
