// Symbols of JavaScript; what a line defines is written behind it.
'use strict';

const fs = require('fs');

function Shape(sides) { //= function Shape
  this.sides = sides;
}

Shape.prototype.area = function () { //= function area
  return 0;
};

Shape.prototype.name = function name() { //= function name
  return 'shape';
};

Shape.made = function* (sides) { //= function made
  yield new Shape(sides);
};

class Box extends Shape { //= class Box
  static made() { //= function made
    return new Box();
  }

  constructor() { //= function constructor
    super(4);
  }

  get width() { //= function width
    return 1;
  }

  set width(value) { //= function width
    this.value = value;
  }

  async *items() { //= function items
    yield 1;
  }

  grow = (by) => by; //= function grow
}

const twice = (a) => a + a; //= function twice
var thrice = function (a) { //= function thrice
  return a * 3;
};
let Local = class { //= class Local
  run() {} //= function run
};

function* counted(to) { //= function counted
  yield to;
}

async function loaded(path) { //= function loaded
  function onEnd() {} //= function onEnd
  fs.readFile(path, function onRead(error) { //= function onRead
    onEnd(error);
  });
}

exports.load = loaded;
exports.parse = function parse(text) { //= function parse
  return text;
};

const handlers = {
  open: function () {}, //= function open
  close: (file) => file, //= function close
  read(file) { //= function read
    return file;
  },
};

module.exports = handlers;
