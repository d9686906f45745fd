import { Database } from 'lucide-react';
import { expect, test } from 'vitest';
import { type Entry, find } from './entries';

const entry = (title: string, detail?: string): Entry => ({ id: title, icon: Database, title, detail, run: () => {} });
const entries = [entry('my-orders', 'Healthy'), entry('orders', 'Unhealthy team=shop'), entry('Operations')];
const titles = (text: string) => find(entries, text).map(({ title }) => title);

test('all words are found, in title and detail', () => {
  expect(titles('ORDERS')).toEqual(['orders', 'my-orders']);
  expect(titles('orders shop')).toEqual(['orders']);
  expect(titles('nothing')).toEqual([]);
});

test('without a text the first entries are offered', () => {
  expect(titles(' ')).toEqual(['my-orders', 'orders', 'Operations']);
  expect(find(Array.from({ length: 50 }, (_, index) => entry(String(index))), '')).toHaveLength(8);
});
