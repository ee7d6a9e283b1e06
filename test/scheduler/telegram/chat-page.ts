import type { SentMessage } from '../../support/fake-bot-api.ts';

const STYLE = `
  body { margin: 0; padding: 8px; background: #0e1621; color: #f5f5f5; font: 14.5px/1.36 system-ui, 'DejaVu Sans', sans-serif; }
  .message { max-width: 330px; margin: 0 0 10px; }
  .text { background: #182533; border-radius: 10px; padding: 7px 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
  .text img { display: block; width: 100%; border-radius: 6px; margin-bottom: 6px; }
  .text a { color: #6ab3f3; text-decoration: none; }
  pre, code { font: 12px/1.4 'DejaVu Sans Mono', monospace; }
  pre { margin: 4px 0; padding: 5px 6px; background: #101b27; border-radius: 6px; white-space: pre; overflow: hidden; }
  .row { display: flex; gap: 4px; margin-top: 4px; }
  .button { flex: 1; background: #2b3b4b; border-radius: 8px; padding: 6px 4px; text-align: center; font-size: 13px;
    overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
  .said { margin: 0 0 10px auto; width: fit-content; background: #2b5278; border-radius: 10px; padding: 6px 10px; }`;

/** What is shown of a chat: what a person wrote, as a text, and what the bot sent. */
export type Shown = string | SentMessage;

/** A page that shows messages as a phone does, from the HTML that was sent. */
export function renderChat(shown: readonly Shown[]): string {
  const parts = shown.map((each) => (typeof each === 'string' ? `<div class="said">${each}</div>` : bubble(each)));
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${parts.join('\n')}`;
}

function bubble({ html, buttons, file }: SentMessage): string {
  const rows = buttons.map((row) => {
    const cells = row.map(({ text }) => `<div class="button">${text.replace(/</g, '&lt;')}</div>`);
    return `<div class="row">${cells.join('')}</div>`;
  });
  const picture =
    file?.kind === 'photo' ? `<img alt="" src="data:image/png;base64,${file.bytes.toString('base64')}">` : '';
  const attached = file?.kind === 'document' ? `📎 ${file.name}\n` : '';
  const text = html.replace(/(^|\s)(\/[a-z_0-9]+)/g, '$1<a>$2</a>');
  return `<div class="message"><div class="text">${picture}${attached}${text}</div>${rows.join('')}</div>`;
}
