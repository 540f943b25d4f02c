import t from 'tap';
import { jwtLibrary } from '../../src/tokens/jwt-library.ts';

t.test('the library is loaded once', async (t) => {
  t.equal(jwtLibrary(), jwtLibrary());
  t.type((await jwtLibrary()).jwtVerify, 'function');
});
