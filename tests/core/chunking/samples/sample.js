/** Doc. */
export class A {
  run(a) { return a }
}
export const f = (a) => {
  const g = {};
};
describe('thing', () => {
  it('works', async () => {});
});
const options = { a: 1 };
