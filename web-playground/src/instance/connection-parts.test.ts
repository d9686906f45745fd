import { expect, test } from 'vitest';
import { connectionParts } from './connection-parts';

test('the parts of a connection string are decoded', () => {
  expect(connectionParts('postgresql://app:p%27w%20%25@db.example.com:5432/shop?sslmode=require')).toEqual({
    host: 'db.example.com',
    port: '5432',
    database: 'shop',
    user: 'app',
    password: "p'w %",
  });
  expect(connectionParts('postgresql://app@[::1]:80/shop')).toMatchObject({ host: '::1', port: '80', password: '' });
});
