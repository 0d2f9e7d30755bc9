// The app of both platforms. Decorators are called by hand, since this file runs as it is.
import 'reflect-metadata'
import { Body, Controller, Get, HttpException, Module, Param, Post } from '@nestjs/common'
import { add, find } from './scores.mjs'

class Scores {
  async find(name) {
    const { status, body } = await find(name)
    if (status !== 200) throw new HttpException(body, status)
    return body
  }

  add(score) {
    return add(score)
  }
}
Controller('scores')(Scores)
const decorate = (key, types, method, parameter) => {
  const { prototype } = Scores
  Reflect.defineMetadata('design:paramtypes', types, prototype, key)
  parameter(prototype, key, 0)
  method(prototype, key, Object.getOwnPropertyDescriptor(prototype, key))
}
decorate('find', [String], Get(':name'), Param('name'))
decorate('add', [Object], Post(), Body())

export class App {}
Module({ controllers: [Scores] })(App)
