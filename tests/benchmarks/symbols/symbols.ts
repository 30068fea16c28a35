// Symbols of TypeScript; what a line defines is written behind it.
import { readFile } from 'fs';

export type Handler<T> = (value: T) => void; //= type Handler

export interface Shape { //= interface Shape
  sides: number;
  area(): number; //= function area
  named(name: string): Shape; //= function named
}

export enum Color { //= enum Color
  Red,
  Green = 'green',
}

const enum Level { Low, High } //= enum Level

export class Base<T> { //= class Base
  sides = 4;
  private readonly held: T[] = [];

  constructor(protected first: T) { //= function constructor
    this.held.push(first);
  }

  named(name: string): Shape { //= function named
    return this;
  }

  static async made<U>(one: U): Promise<U> { //= function made
    return one;
  }

  get width(): number { //= function width
    return 1;
  }

  grow = (by: number): number => by; //= function grow
}

namespace inner { //= module inner
  export function hidden(): void {} //= function hidden
}

export const twice = (a: number): number => a + a; //= function twice

export function largest<T>(of: T[]): T { //= function largest
  return of[0];
}

export function* counted(to: number): Generator<number> { //= function counted
  yield to;
}

export default class Box extends Base<string> { //= class Box
  area(): number { //= function area
    return 0;
  }
}

export abstract class Last { //= class Last
  abstract area(): number; //= function area
}
