export interface I<T> {
  m(): void;
}
type U = string;
enum E { A }
namespace N {
  export abstract class C {
    abstract y(): void;
  }
}
// Doc.
export function over(a: string): void;
