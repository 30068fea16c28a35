// Symbols of Go; what a line defines is written behind it.
package symbols

import "io"

const Limit = 16 //= constant Limit

const (
	Low  Level = iota //= constant Low
	High              //= constant High
)

var counter int //= constant counter

var (
	names = []string{"a"} //= constant names
	ready bool            //= constant ready
)

type Level int                     //= type Level
type Handler func(w io.Writer) int //= type Handler

type Node struct { //= struct Node
	next  *Node
	value int
}

type (
	Reader interface { //= interface Reader
		io.Closer
		Read(into []byte) (int, error) //= function Read
		Level() Level                  //= function Level
	}
	Pair struct { //= struct Pair
		a, b int
	}
)

func New(value int) *Node { //= function New
	const local = 1
	var other = local
	return &Node{value: value + other}
}

func (n *Node) Read(into []byte) (int, error) { //= function Read
	each := func(one byte) byte { return one }
	into[0] = each(into[0])
	return 1, nil
}

func (Pair) Level() Level { return Low } //= function Level

func (n Node) String() string { //= function String
	return "node"
}
