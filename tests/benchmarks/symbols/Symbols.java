// Symbols of Java; what a line defines is written behind it.
package symbols;

import java.util.List;

public abstract class Symbols<T> extends Object { //= class Symbols
    private static final int LIMIT = 16;

    static {
        System.out.println(LIMIT);
    }

    public Symbols() { //= function Symbols
        super();
    }

    protected abstract List<T> all(); //= function all

    @Override
    public String toString() { //= function toString
        int[] local = {1};
        Runnable run = () -> System.out.println(local[0]);
        return "symbols";
    }

    static <U extends Comparable<U>> U largest(List<? extends U> of) { //= function largest
        class Local { //= class Local
            void count() {} //= function count
        }
        return null;
    }

    private static class Node { //= class Node
        Node next;

        Node(Node next) { //= function Node
            this.next = next;
        }
    }

    enum Color { //= enum Color
        RED,
        GREEN {
            @Override
            boolean isWarm() { //= function isWarm
                return false;
            }
        };

        boolean isWarm() { //= function isWarm
            return true;
        }
    }
}

interface Shape { //= interface Shape
    double area(); //= function area

    default String name() { //= function name
        return "shape";
    }
}

@interface Marked { //= interface Marked
    int times() default 1; //= function times
}
