/** Ties the page together: news in, a drawing out, and a steady pace in between because ages grow. */
import { connect } from './connection.js';
import { byId, setText } from './element.js';
import { Store } from './store.js';
import { drawSummary } from './summary.js';
import { drawTables } from './tables.js';
import { Timeline } from './timeline.js';

/** The time line moves on; less often where the user asked for less motion. */
const PACE_MS = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1_000 : 250;

const store = new Store();
const timeline = new Timeline(draw);

function draw() {
  if (store.last === null) return;
  document.body.classList.toggle('calls', store.last.calls);
  drawSummary(store);
  timeline.draw(store);
  drawTables(store);
}

/**
 * @param {'live' | 'lost'} state
 * @param {string} text
 */
function showLink(state, text) {
  byId('link').dataset['state'] = state;
  setText(byId('link'), text);
  document.body.classList.toggle('lost', state === 'lost');
}

connect({
  onView(view) {
    store.replace(view);
    showLink('live', 'live');
    draw();
  },
  onChange(view) {
    if (!store.add(view)) store.replace(view);
    draw();
  },
  onLost() {
    store.freeze();
    showLink('lost', 'connection lost, trying again');
  },
});
setInterval(draw, PACE_MS);
