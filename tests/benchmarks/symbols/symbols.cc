// Symbols of C++; what a line defines is written behind it.
#include <string>
#include <vector>

#define JOINED(a, b) a##b //= macro JOINED

namespace shapes { //= module shapes

class Shape { //= class Shape
public:
    Shape() = default; //= function Shape
    explicit Shape(int sides); //= function Shape
    virtual ~Shape() {} //= function ~Shape
    virtual double area() const = 0; //= function area
    bool operator==(const Shape &other) const; //= function operator==
    const std::string &name() const noexcept { return name_; } //= function name
    static Shape *made(int sides); //= function made

    struct Point { //= struct Point
        int x, y;
    };
    enum class Kind { Round, Square }; //= enum Kind

private:
    std::string name_;
};

template <typename T>
class Box final : public Shape { //= class Box
public:
    double area() const override { return 0.0; } //= function area
    template <typename U>
    void put(U &&one) { held_.push_back(one); } //= function put

private:
    std::vector<T> held_;
};

using Shapes = std::vector<Shape *>; //= type Shapes
typedef int Count; //= type Count

namespace inner { //= module inner
union Bits { //= struct Bits
    int whole;
    float real;
};
} // namespace inner

Shape::Shape(int sides) : name_(std::to_string(sides)) {} //= function Shape

Shape *Shape::made(int sides) { //= function made
    std::string text(3, 'x');
    auto twice = [](int a) { return a + a; };
    return nullptr;
}

bool Shape::operator==(const Shape &other) const { //= function operator==
    return name_ == other.name_;
}

template <typename T>
T largest(const std::vector<T> &of); //= function largest

} // namespace shapes

int main() //= function main
{
    return 0;
}

namespace shapes { //= module shapes
template <>
class Box<std::vector<int>> { //= class Box
    bool operator<<(int by); //= function operator<<
};
} // namespace shapes
